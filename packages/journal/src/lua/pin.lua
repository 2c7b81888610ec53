-- Fixes a choice for the rest of the generation, or with `keep` for as long as the effects are kept; the first one wins.
local field = a.keep and 'keptPins' or 'pins'
local message = read(a.key)
local reason = lost(message)
if reason then return cjson.encode({ kind = reason }) end
local pins = message[field] and cjson.decode(message[field]) or {}
if pins[a.name] == nil then
  pins[a.name] = a.value
  set(message, { [field] = cjson.encode(pins) })
end
return cjson.encode({ kind = 'ok', value = pins[a.name] })
