-- An e-mail that is about no message becomes due, once. ARGV[3] = its sealed payload.
if read(a.due[1].key) then return 0 end
createDue(nil)
return 1
