-- Before a call on a target: hands out what an earlier call confirmed, or marks the effect as being sent.
local message = read(a.key)
local reason = lost(message)
if reason then return cjson.encode({ kind = reason }) end

local stored = redis.call('HGET', effectsKey(a.key), a.effect)
local effect = stored and cjson.decode(stored) or { tries = 0, unknown = false }
local generation = tonumber(message.generation)
if effect.state == 'confirmed' or (effect.state == 'refused' and effect.generation == generation) then
  return cjson.encode({ kind = 'kept', state = effect.state, result = effect.result })
end
if effect.state == 'sending' and effect.call ~= a.call then
  -- Whoever sent it never came back to say how it ended.
  effect.unknown = true
  note(a.key, { what = 'effect', effect = a.effect, state = 'unknown', code = 'crash' })
end
if effect.state == 'refused' then effect.unknown = false end
if effect.call ~= a.call then effect.tries = effect.tries + 1 end
effect.state = 'sending'
effect.call = a.call
effect.generation = generation
effect.operation = a.operation
effect.connection = a.connection
effect.at = a.now
redis.call('HSET', effectsKey(a.key), a.effect, cjson.encode(effect))
watch(a.key, a.now + a.watchMs)
return cjson.encode({ kind = 'send', unknown = effect.unknown, tries = effect.tries })
