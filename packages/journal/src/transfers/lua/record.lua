-- Keeps something with the generation, such as what became of a file. ARGV[2] = sealed value, ARGV[3..] = sealed payloads of
-- what is due with it. An effect that is carried through is forgotten.
local message, refusal = held()
if not message then return refusal end
redis.call('HSET', recordedKey(a.key), a.field, ARGV[2])
if a.forget then redis.call('HDEL', effectsKey(a.key), a.forget) end
createDue(message)
return answer('ok')
