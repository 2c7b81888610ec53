-- E-mails of one kind: the first opens a window and goes out, what follows inside it waits for the digest. What is decided holds
-- for the generation of the notification: an attempt that comes again is not counted again. ARGV[2] = sealed words for the digest.
local message, refusal = held('window')
if not message then return refusal end
if message.window then return answer(message.window) end

local window = windowKey(a.window)
local kind = 'opened'
if a.periodMs > 0 and redis.call('EXISTS', window) == 1 then
  kind = 'joined'
  joinWindow(1, ARGV[2])
  if a.flow then redis.call('HINCRBY', window, 'n:' .. a.flow, 1) end
elseif a.periodMs > 0 then
  openWindow(0)
end
if a.down then
  redis.call('HSETNX', downKey, a.down.connection, a.down.since)
  missed(a.down.connection, a.down.since)
  if a.periodMs > 0 then redis.call('HSET', window, 'down', a.down.connection) end
end
set(message, { window = kind })
return answer(kind)
