--- What the launcher costs inside KOReader: `luajit tests/launcher/bench.lua [folder]` in the repository's root.
--
-- 10,000 page turns and 400 closings, on real files in `folder` (default: a new one in the temporary folder), with real
-- fsyncs and a real start of a worker that does nothing. Measures each of the launcher's handlers by itself, and the
-- start, which comes after the handlers when KOReader has drawn. Prints p50 and p99; judges nothing, since fsync and
-- fork cost what the neighbours on the machine leave. Budget of a handler: 5 ms at p99.

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

local function report(what, samples_ms, budget)
    table.sort(samples_ms)
    local function at(fraction) return samples_ms[math.ceil(#samples_ms * fraction)] end
    print(("launcher %-29s  p50 %7.3f ms  p99 %7.3f ms  (%d times%s)"):format(
        what, at(0.5), at(0.99), #samples_ms, budget or ""))
end

--- What `action` answers; how long it took goes to `samples_ms`.
local function timed(samples_ms, action)
    local before = now_ms()
    local answer = action()
    samples_ms[#samples_ms + 1] = now_ms() - before
    return answer
end

local folder = arg[1] or os.getenv("TMPDIR") or "/tmp"
folder = ("%s/booklore-bench-%d"):format(folder, os.time())
os.execute("mkdir -p '" .. folder .. "/bin'")
local world, front_end = Check.koreader(folder, function(world) world.real_processes = true end)
local samples_ms = { onReaderReady = {}, onPageUpdate = {}, onCloseDocument = {}, onCloseWidget = {}, start = {} }
local function watch(name, call)
    return samples_ms[name] and timed(samples_ms[name], call) or call()
end
for _ = 1, BOOKS do
    world.watch_handler = function(name, call) return name == "onReaderReady" and watch(name, call) or call() end
    front_end:open(Check.book(folder))
    world.watch_handler = watch
    for page = 13, 12 + TURNS do
        front_end:turn(page)
        world:pass(1)
    end
    front_end:close_book()
    world.watch_handler = nil
    timed(samples_ms.start, function() world:pass(0) end)
    front_end:file_manager()
    package.loaded["booklore_process"].current.worker:stop()
    world:pass(60)
end
Fake.release_the_system()
os.execute("rm -rf '" .. folder .. "'")
local handler = ", budget 5 ms at p99"
report("book opens", samples_ms.onReaderReady, handler)
report("page turn", samples_ms.onPageUpdate, handler)
report("book closes, line close", samples_ms.onCloseDocument, handler)
report("book closes, snapshot", samples_ms.onCloseWidget, handler)
report("start of the worker", samples_ms.start)
