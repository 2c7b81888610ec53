-- An operator has seen to a refusal at the door: it needs no attention any more. It stays kept for its time.
local flow = redis.call('HGET', base .. ':dr:' .. a.key, 'flow')
if not flow then return cjson.encode({ kind = 'unknown-message' }) end
if redis.call('ZREM', base .. ':d:' .. flow .. ':unseen', a.key) == 0 then return cjson.encode({ kind = 'not-failed' }) end
audit('discard', a.key)
return cjson.encode({ kind = 'ok' })
