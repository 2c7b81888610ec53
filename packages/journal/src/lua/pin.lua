-- Fixes a choice for the rest of the generation; the first one wins.
local message = read(a.key)
local reason = lost(message)
if reason then return cjson.encode({ kind = reason }) end
local pins = message.pins and cjson.decode(message.pins) or {}
if pins[a.name] == nil and a.value ~= nil then
  pins[a.name] = a.value
  set(message, { pins = cjson.encode(pins) })
end
return cjson.encode({ kind = 'ok', value = pins[a.name] })
