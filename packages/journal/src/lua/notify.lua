-- An e-mail that is about no message becomes due, once. ARGV[3] = its sealed payload. `missed`: the transfer whose run it is about.
-- `once`: how long, and under which name, is remembered that it was told; longer than e-mails are kept.
local onceKey = a.once and base .. ':once:' .. a.once.name
if onceKey and redis.call('EXISTS', onceKey) == 1 then return 0 end
if read(a.due[1].key) then return 0 end
createDue(nil)
if onceKey then redis.call('SET', onceKey, '1', 'PX', a.once.keepMs) end
if a.missed then redis.call('HINCRBY', base .. ':missed', a.missed, 1) end
return 1
