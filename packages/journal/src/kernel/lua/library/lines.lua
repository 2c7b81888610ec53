-- A line has one holder, at 0: the message that may run. The others wait behind it in the order of their first acceptance.
local function holderOf(line)
  local first = redis.call('ZRANGE', lineKey(line), 0, 0, 'WITHSCORES')
  return first[2] == '0' and first[1] or nil
end

-- A message that no worker holds lets an earlier one of its line go first. It is given a new run when its turn comes again.
local function mayStepBack(message, earlier)
  local free = message.state == 'accepted' or message.state == 'retrying'
  return free and (message.blockedBy or '') == '' and tonumber(message.seq) > tonumber(earlier.seq)
end
local function stepBack(message, earlier)
  withdraw(message)
  redis.call('ZADD', lineKey(message.line), message.seq, message.key)
  drop(message, runFields)
  move(message, 'waiting')
  note(message.key, { what = 'stepped-back', by = earlier.key })
end

local function joinLine(message)
  if message.line == '' then return true end
  local holder = holderOf(message.line)
  if holder == message.key then return true end
  local other = holder and read(holder)
  if other and mayStepBack(other, message) then
    stepBack(other, message)
    other = nil
  end
  redis.call('ZADD', lineKey(message.line), other and message.seq or 0, message.key)
  return not other
end

-- The target has confirmed or refused a call of the message: no earlier message of its line may follow by itself.
local function markAnswered(message)
  if message.line == '' then return end
  local mark = tonumber(redis.call('GET', answeredKey(message.line)) or '0')
  if tonumber(message.seq) >= mark then redis.call('SET', answeredKey(message.line), message.seq, 'PX', retentionMs) end
end

-- Starts a waiting message under a new run id: a job under the old one may already have come and gone.
local function release(key, run)
  local message = read(key)
  if not message or message.state ~= 'waiting' or (message.blockedBy or '') ~= '' then return nil end
  move(message, 'accepted', { run = run })
  watch(key, a.now + watchMs)
  note(key, { what = 'released' })
  return runOf(message)
end

local function leaveLine(message)
  if message.line == '' then return nil end
  local held = holderOf(message.line) == message.key
  redis.call('ZREM', lineKey(message.line), message.key)
  local first = held and redis.call('ZRANGE', lineKey(message.line), 0, 0)[1]
  if not first then return nil end
  redis.call('ZADD', lineKey(message.line), 0, first)
  return release(first, a.nextRun)
end

-- Between two attempts: an earlier message that came back meanwhile, such as a dead letter that was resubmitted, goes first.
local function giveWay(message)
  if message.line == '' then return nil end
  local second = redis.call('ZRANGE', lineKey(message.line), 1, 1)[1]
  local earlier = second and read(second)
  if not earlier or (earlier.blockedBy or '') ~= '' or not mayStepBack(message, earlier) then return nil end
  stepBack(message, earlier)
  redis.call('ZADD', lineKey(message.line), 0, second)
  return release(second, a.nextRun)
end
