-- An effect is stored as a list of `effectFields`: a file has thousands of them.
local function readEffect(key, id)
  local stored = redis.call('HGET', effectsKey(key), id)
  if not stored then return nil end
  local list = cjson.decode(stored)
  local effect = {}
  for i, name in ipairs(effectFields) do
    if list[i] ~= '' then effect[name] = list[i] end
  end
  return effect
end

local function writeEffect(key, id, effect)
  local list = {}
  for i, name in ipairs(effectFields) do list[i] = effect[name] or '' end
  while list[#list] == '' do list[#list] = nil end
  redis.call('HSET', effectsKey(key), id, cjson.encode(list))
end

-- Every call is a new intention from now on, so the choices that the ids of the old ones depend on are free again.
local function forgetEffects(message)
  redis.call('DEL', effectsKey(message.key))
  drop(message, { 'keptPins' })
end

-- How a call ended, and for confirmed and refused what to keep of it. Returns why the attempt must not go on, if so.
local function keepOutcome(message, ended)
  local effect = readEffect(message.key, ended.effect)
  if not effect or effect.state ~= 'sending' then return nil end
  if effect.call ~= ended.call then return 'stale' end
  local answered = ended.state == 'confirmed' or ended.state == 'refused'
  effect.state = ended.state
  if answered then effect.unknown = 0 end
  if ended.state == 'unknown' then effect.unknown = 1 end
  effect.result = ended.result
  effect.status = ended.status
  effect.code = ended.code
  effect.ms = ended.ms
  effect.call = nil
  writeEffect(message.key, ended.effect, effect)
  if answered then
    reached(effect.connection)
    markAnswered(message)
  end
  if ended.down then missed(effect.connection, a.now) end
  if not ended.quiet then
    note(message.key, { what = 'called', effect = ended.effect, operation = effect.operation, connection = effect.connection,
      state = ended.state, status = ended.status, code = ended.code, ms = ended.ms, try = effect.tries })
  end
  return nil
end
