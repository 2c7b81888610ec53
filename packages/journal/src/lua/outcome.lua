-- After a call on a target: how it ended, and for confirmed and refused what to keep of it.
local message = read(a.key)
local reason = lost(message)
-- Of an attempt that is aborted while the call is on its way, at least the end of the call is kept.
if reason and reason ~= 'superseded' then return reason end

local effect = readEffect(a.key, a.effect)
if not effect or effect.state ~= 'sending' then return reason or 'ok' end
if effect.call ~= a.call then return reason or 'stale' end
effect.state = a.state
if a.state == 'confirmed' or a.state == 'refused' then effect.unknown = 0 end
if a.state == 'unknown' then effect.unknown = 1 end
effect.result = a.result
effect.status = a.status
effect.code = a.code
effect.ms = a.ms
effect.call = nil
writeEffect(a.key, a.effect, effect)
if a.state == 'confirmed' or a.state == 'refused' then
  reached(effect.connection)
  markAnswered(message)
end
if a.down then missed(effect.connection, a.now) end
if not a.quiet then
  note(a.key, { what = 'called', effect = a.effect, operation = effect.operation, connection = effect.connection,
    state = a.state, status = a.status, code = a.code, ms = a.ms, try = effect.tries })
end
return reason or 'ok'
