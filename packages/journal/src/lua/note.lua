-- A processor adds to the time line.
local message = read(a.key)
local reason = lost(message)
if reason then return reason end
note(a.key, a.entry)
return 'ok'
