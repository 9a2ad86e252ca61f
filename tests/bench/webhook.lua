-- What wrk sends: the file $BODY posted to $TARGET. $RATE: so many a second, at even intervals on the clock, whoever of the
-- connections is free; without it as fast as replies come. Prints one JSON object; wrk's own text goes before it.
local ffi = require("ffi")

ffi.cdef([[
struct bench_timespec { long s; long ns; };
int clock_gettime(int clock, struct bench_timespec *ts);
]])

local rate = tonumber(os.getenv("RATE") or "")
local now = ffi.new("struct bench_timespec")
local file = assert(io.open(os.getenv("BODY"), "rb"))
local body = file:read("*a")
local head = { ["Content-Type"] = "application/json", ["User-Agent"] = "kube-apiserver-admission" }
local next_ms

file:close()

local function now_ms()
  ffi.C.clock_gettime(1, now)
  return tonumber(now.s) * 1000 + tonumber(now.ns) / 1e6
end

local message

function init()
  message = wrk.format("POST", os.getenv("TARGET"), head, body)
end

function request()
  return message
end

if rate then
  function delay()
    local at = now_ms()
    next_ms = math.max(next_ms or at, at - 100) + 1000 / rate
    return math.max(0, math.floor(next_ms - at + 0.5))
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"per_second": %.0f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "other_status": %d, "broken": %d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    latency.max / 1000, e.status, e.connect + e.read + e.write + e.timeout))
end
