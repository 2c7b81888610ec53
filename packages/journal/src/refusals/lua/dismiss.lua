-- An operator has seen to a refusal at the door: it needs no attention any more. It stays kept for its time.
local flow = redis.call('HGET', refusalKey(a.key), 'flow')
if not flow then return answer('unknown-message') end
if redis.call('ZREM', unseenKey(flow), a.key) == 0 then return answer('not-failed') end
audit('discard', a.key)
return answer('ok')
