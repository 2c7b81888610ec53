-- Starts a run of a message that Tieline itself begins, such as a score transfer: each run is a generation, so that two never
-- overlap. `notBefore`: a run of the whole that began since then will do. ARGV[2] = sealed payload.
local message = read(a.key)
local ranAt = tonumber(message and message.ranAt or '0')
-- The answer to this very script got lost.
if message and message.run == a.run then return answer('started', { generation = tonumber(message.generation) }) end
if a.notBefore and ranAt >= a.notBefore then return answer('served') end
if message and not settledStates[message.state] then return answer('busy', { since = tonumber(message.acceptedAt) }) end

local ticket = ticketOf(message)
if message then
  storePayload(message, ARGV[2])
  set(message, withOptional({ hash = a.hash }, a))
  -- It is found by what its last run was about.
  unindex(a.key)
  index(message, a.terms)
  again(message, a.run)
else
  message = create(a, ARGV[2])
end
-- The clock of this machine may be behind that of the schedule.
if a.whole then set(message, { ranAt = math.max(a.now, a.notBefore or 0) }) end
note(a.key, { what = 'accepted', generation = tonumber(message.generation), by = a.who })
if a.why then audit(a.whole and 'run' or 'retry-file', a.key) end
return answer('started', { generation = tonumber(message.generation), ticket = ticket })
