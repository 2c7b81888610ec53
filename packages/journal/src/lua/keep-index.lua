-- Ties what the rows of a file are found by to its message, in place of what was tied to it before.
local message = read(a.key)
local reason = lost(message)
if reason then return reason end
if message.indexRef ~= a.reference then
  if message.indexRef then letGo(message.indexRef) end
  set(message, { indexRef = a.reference })
  hold(a.reference)
end
return 'ok'
