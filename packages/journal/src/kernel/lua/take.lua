-- A worker takes a message for one attempt. What the job says never overrules the record. The answer to `attempt` has the sealed
-- payload beside it.
local message = read(a.key)
if not message then return answer('surplus') end
if message.run ~= a.run then
  return answer('surplus', { moved = message.blockedBy == a.run and unblock(message) or wake(message) })
end
-- A worker that stood still since it got the job: BullMQ has handed the job to another one meanwhile.
if a.started < tonumber(message.started or '0') then return answer('surplus') end
if ticketOf(message) then
  -- The job that failed is the ticket of the message. BullMQ counts `made` up when it files the ticket, so an equal
  -- count means a crash before filing, and a higher one that somebody asked for another run.
  if a.made <= tonumber(message.made or '0') then return answer('ticket', { code = message.code }) end
  a.who = message.resubmitter or 'bull-board'
  local wasDead = message.state == 'dead'
  again(message, a.run)
  note(a.key, { what = wasDead and 'resubmitted' or 'rerun', who = a.who, generation = tonumber(message.generation) })
  audit(wasDead and 'resubmit' or 'rerun', a.key)
end
if message.state == 'waiting' or settledStates[message.state] then return answer('surplus') end

-- The first message of a line that this one follows has still to be answered.
local follows = message.follows
local fresh = tonumber(message.attempts) == 0
if follows and fresh and redis.call('ZCARD', lineKey(follows)) > 0 and redis.call('EXISTS', answeredKey(follows)) == 0 then
  watch(a.key, a.now + watchMs)
  if not message.behind then
    set(message, { behind = '1' })
    note(a.key, { what = 'behind', line = follows })
  end
  return answer('behind')
end

if not (message.state == 'processing' and message.token == a.token) then
  local takenOver = message.state == 'processing'
  local number = tonumber(message.attempts) + 1
  -- BullMQ's token may come again with another run, so an end under it says nothing any more.
  if message.endedBy then drop(message, { 'endedBy' }) end
  move(message, 'processing', { token = a.token, started = a.started, attempts = number })
  note(a.key, { what = 'attempt', number = number, lookups = a.lookups, takenOver = takenOver or nil })
end
watch(a.key, a.now + watchMs)

local overtaken = false
if a.refuseOvertaken and message.line ~= '' and tonumber(message.generation) > 1 and not message.forced then
  overtaken = tonumber(redis.call('GET', answeredKey(message.line)) or '0') > tonumber(message.seq)
end
return {
  answer('attempt', {
    flow = message.flow, instance = message.instance, id = message.id, client = message.client,
    generation = tonumber(message.generation), number = tonumber(message.attempts), failures = tonumber(message.failures),
    failedSince = tonumber(message.failedSince or '0'), alarmed = message.alarmed == '1', denied = message.denied == '1',
    division = message.division, acceptedAt = tonumber(message.acceptedAt), payloadRef = message.payloadRef,
    overtaken = overtaken, fileRef = message.fileRef, fileName = message.fileName,
    fileBytes = tonumber(message.fileBytes or '0'), fileSha256 = message.fileSha256, trace = message.trace,
    pins = message.pins, keptPins = message.keptPins,
  }),
  redis.call('GET', payloadKey(a.key)),
}
