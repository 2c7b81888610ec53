-- Ties what the rows of a file are found by to its message, in place of what was tied to it before.
local message, refusal = held('indexRef')
if not message then return refusal end
if message.indexRef ~= a.reference then
  if message.indexRef then letGo(message.indexRef) end
  set(message, { indexRef = a.reference })
  hold(a.reference)
end
return answer('ok')
