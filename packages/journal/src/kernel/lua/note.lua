-- A processor adds to the time line.
local message, refusal = held()
if not message then return refusal end
note(a.key, a.entry)
return answer('ok')
