-- After a call on a target: how it ended, and for confirmed and refused what to keep of it.
local message = read(a.key)
local reason = lost(message)
if reason then return reason end

local effect = cjson.decode(redis.call('HGET', effectsKey(a.key), a.effect))
if effect.call ~= a.call then return 'stale' end
if effect.state ~= 'sending' then return 'ok' end
effect.state = a.state
if a.state == 'confirmed' or a.state == 'refused' then effect.unknown = false end
if a.state == 'unknown' then effect.unknown = true end
effect.result = a.result
effect.status = a.status
effect.code = a.code
effect.ms = a.ms
redis.call('HSET', effectsKey(a.key), a.effect, cjson.encode(effect))
note(a.key, { what = 'called', effect = a.effect, operation = effect.operation, connection = effect.connection,
  state = a.state, status = a.status, code = a.code, ms = a.ms, try = effect.tries })
return 'ok'
