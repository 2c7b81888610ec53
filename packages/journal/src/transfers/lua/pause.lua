-- An operator stops a schedule, or lets it go on.
if a.paused then
  redis.call('HSET', pausedKey, a.name, cjson.encode({ who = a.who, why = a.why, at = a.now }))
else
  redis.call('HDEL', pausedKey, a.name)
end
audit(a.paused and 'pause' or 'resume', a.key)
return answer('ok')
