--- What the launcher costs inside KOReader: `luajit tests/launcher/bench.lua [folder]` in the repository's root.
--
-- 10,000 page turns and 400 closings, on real files in `folder` (default: a new one in the temporary folder), with real
-- fsyncs and, half of the time, a real start of a worker that does nothing. Prints p50 and p99; judges nothing, since
-- fsync and fork cost what the neighbours on the machine leave. Budget: 5 ms at p99.

package.path = "tests/launcher/?.lua;" .. package.path

local Check = require("check")
local Fake = require("fake_koreader")
local ffi = require("ffi")

ffi.cdef([[
struct booklore_timespec { long seconds; long nanoseconds; };
int clock_gettime(int clock, struct booklore_timespec *now);
]])

local CLOCK_MONOTONIC = 1
local BOOKS, TURNS = 400, 25

local timespec = ffi.new("struct booklore_timespec")

local function now_ms()
    ffi.C.clock_gettime(CLOCK_MONOTONIC, timespec)
    return tonumber(timespec.seconds) * 1000 + tonumber(timespec.nanoseconds) / 1000000
end

local function report(what, samples_ms)
    table.sort(samples_ms)
    local function at(fraction) return samples_ms[math.ceil(#samples_ms * fraction)] end
    print(("launcher %-29s  p50 %7.3f ms  p99 %7.3f ms  (%d times, budget 5 ms at p99)"):format(
        what, at(0.5), at(0.99), #samples_ms))
end

local function timed(samples_ms, action)
    local before = now_ms()
    action()
    samples_ms[#samples_ms + 1] = now_ms() - before
end

local folder = arg[1] or os.getenv("TMPDIR") or "/tmp"
folder = ("%s/booklore-bench-%d"):format(folder, os.time())
os.execute("mkdir -p '" .. folder .. "/bin'")
local world, front_end = Check.koreader(folder, function(world) world.real_processes = true end)
local turns_ms, open_ms, offline_ms, start_ms = {}, {}, {}, {}
for number = 1, BOOKS do
    local book = Check.book(folder)
    timed(open_ms, function() front_end:open(book) end)
    for page = 13, 12 + TURNS do
        timed(turns_ms, function() front_end:turn(page) end)
        world:pass(1)
    end
    world.connected = number % 2 == 0
    timed(world.connected and start_ms or offline_ms, function() front_end:close() end)
    package.loaded["booklore_process"].current.worker:stop()
    world:pass(60)
end
Fake.release_the_system()
os.execute("rm -rf '" .. folder .. "'")
report("page turn", turns_ms)
report("open", open_ms)
report("close without a network", offline_ms)
report("close and start of the worker", start_ms)
