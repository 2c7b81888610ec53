-- An e-mail that is about no message becomes due, once. ARGV[3] = its sealed payload. `missed`: the transfer whose run it is about.
if read(a.due[1].key) then return 0 end
createDue(nil)
if a.missed then redis.call('HINCRBY', base .. ':missed', a.missed, 1) end
return 1
