-- wrk script: sends the requests of a file one after the other, none of them twice unless told to.
-- Arguments behind `--`: the file, "once" or "repeat". One thread only: the file has one reader.
local separator = "\r\n\r\n"
local thread_of_load

function setup(thread)
  thread_of_load = thread
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  requests = file:read("*a")
  file:close()
  repeats = args[2] == "repeat"
  position = 1
  ran_out = false
end

function request()
  if position > #requests then
    if repeats then
      position = 1
    else
      ran_out = true
      wrk.thread:stop()
      return "-" -- no request: this connection is about to be closed
    end
  end
  local _, last = string.find(requests, separator, position, true)
  local bytes = string.sub(requests, position, last)
  position = last + 1
  return bytes
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"failures":%d,"seconds":%.6f,"p50Us":%d,"p99Us":%d,"ranOut":%s,"generatorUs":%d}\n',
    summary.requests - errors.status, failures, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99),
    tostring(thread_of_load:get("ran_out")), os.clock() * 1e6))
end
