-- An e-mail that is about no message becomes due, once. ARGV[3] = its sealed payload. `missed`: the transfer whose run it is about.
-- `once`: how long, and under which name, is remembered that it was told; longer than e-mails are kept.
local toldBefore = a.once and redis.call('EXISTS', onceKey(a.once.name)) == 1
if toldBefore or isDue() then return answer('known') end
createDue(nil)
if a.once then redis.call('SET', onceKey(a.once.name), '1', 'PX', a.once.keepMs) end
if a.missed then redis.call('HINCRBY', missedKey, a.missed, 1) end
return answer('due')
