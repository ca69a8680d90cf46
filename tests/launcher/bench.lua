--- What the launcher costs inside KOReader: `luajit tests/launcher/bench.lua [folder]` in the repository's root.
--
-- 10,000 page turns and 400 closings, on real files in `folder` (default: a new one in the temporary folder), with real
-- fsyncs and a real start of a worker that does nothing; a book with page labels, a list of unrecorded books and a menu
-- at their limits. Half of the books have 1,000 highlights, of which 20 are changed before the device sleeps and 20
-- before the book closes; looking when nothing has changed is measured by itself. Measures each of the launcher's
-- handlers by itself, the second announcement of a turn apart from the first, and the start, which comes after the
-- handlers when KOReader has drawn. Prints p50 and p99; judges nothing, since fsync and fork cost what the neighbours
-- on the machine leave. Budgets at p99: 1 ms for a page turn, 5 ms for the other handlers.

package.path = "tests/launcher/?.lua;" .. package.path

local Check = require("check")
local Fake = require("fake_koreader")
local cjson = require("cjson")
local ffi = require("ffi")

ffi.cdef([[
struct booklore_timespec { long seconds; long nanoseconds; };
int clock_gettime(int clock, struct booklore_timespec *now);
]])

local CLOCK_MONOTONIC = 1
local BOOKS, TURNS = 400, 25
local UNRECORDED_BYTES, MENU_ITEMS = 64 * 1024 - 100, 500
local MARKS, CHANGED = 1000, 20

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
local samples_ms = {
    onReaderReady = {}, first = {}, again = {}, onSuspend = {}, onCloseDocument = {}, onCloseWidget = {}, start = {},
    menu = {}, onReaderReadyMarks = {}, onSuspendMarks = {}, onCloseDocumentMarks = {}, looked = {},
}
local announced, marked
local function watch(name, call)
    if name == "onPageUpdate" then
        announced = not announced
        name = announced and "first" or "again"
    end
    if marked and samples_ms[name .. "Marks"] then name = name .. "Marks" end
    if samples_ms[name] then return timed(samples_ms[name], call) end
    return call() -- not `and … or`: handlers answer nothing, and would be called twice
end

--- A book that has, and whose reader uses, the page numbers of a printed edition.
local function labelled_book()
    local book = Check.book(folder)
    book.labels = {}
    for page = 1, book.pages do book.labels[page] = "Page " .. page end
    return book
end

--- Real highlights are as long as a sentence or two.
local function highlights()
    local marks = {}
    for index = 1, MARKS do
        local place = ("/body/DocFragment[4]/body/p[%d]/text()."):format(index % 600 + 1)
        marks[index] = {
            datetime = ("2026-11-%02d 10:%02d:%02d"):format(index % 28 + 1, index % 60, index % 59), drawer = "lighten",
            color = "yellow", text = ("Some years ago, never mind how long precisely %d. "):format(index):rep(5),
            note = index % 5 == 0 and ("A note of mine, number %d."):format(index) or nil, chapter = "Loomings",
            pageno = index % 600 + 1, page = place .. 0, pos0 = place .. 0, pos1 = place .. 250,
        }
    end
    return marks
end

local function change_some(round)
    local list = front_end.window.annotation.annotations
    for index = 1, marked and CHANGED or 0 do
        list[index * 37 % #list + 1].note = ("Another note, %d in %s."):format(index, round)
    end
end

local items = {}
for index = 1, MENU_ITEMS do
    items[index] = {
        kind = "number", label = "Setting " .. index, help = ("x"):rep(200), value = index, least = 0, most = 1000,
        step = 1, verb = "set", arguments = { key = "setting" .. index },
    }
end
Check.write(folder .. "/bookloresync/menu.json", cjson.encode({ version = 1, items = items }))
Check.write(folder .. "/bookloresync/untracked.txt", ("/mnt/onboard/Books/Diary.epub\n"):rep(UNRECORDED_BYTES / 30))

for number = 1, BOOKS do
    marked = number % 2 == 0
    world.watch_handler = function(name, call)
        if name == "onReaderReady" then return watch(name, call) end
        return call()
    end
    local book = labelled_book()
    if marked then book.sidecar.annotations = highlights() end
    world.sidecars[book.file] = nil
    front_end:open(book)
    world.watch_handler, announced = watch, false
    world.connected = false -- a run for the opened book would be in the way of the one that is measured
    for page = 13, 12 + TURNS do
        front_end:turn(page)
        world:pass(1)
    end
    change_some("sleep")
    front_end:suspend(false)
    if marked then
        local current = package.loaded["booklore_process"].current
        timed(samples_ms.looked, function() current.annotations:write(front_end.window, current.journal) end)
    end
    world:pass(1)
    change_some("close")
    world.connected = true
    front_end:close_book()
    world.watch_handler = nil
    timed(samples_ms.start, function() world:pass(0) end)
    front_end:file_manager()
    timed(samples_ms.menu, front_end.menu_items.bookloresync.sub_item_table_func)
    package.loaded["booklore_process"].current.worker:stop()
    world:pass(60)
end
assert(#world.errors == 0, table.concat(world.errors, "; "))
Fake.release_the_system()
os.execute("rm -rf '" .. folder .. "'")
local handler = ", budget 5 ms at p99"
report("book opens", samples_ms.onReaderReady, handler)
report("page turn", samples_ms.first, ", budget 1 ms at p99")
report("page turn, announced again", samples_ms.again, ", budget 1 ms at p99")
report("falls asleep", samples_ms.onSuspend, handler)
report("book closes, line close", samples_ms.onCloseDocument, handler)
report(("book with %d marks opens"):format(MARKS), samples_ms.onReaderReadyMarks, handler)
report(("falls asleep, %d changed"):format(CHANGED), samples_ms.onSuspendMarks, handler)
report(("book closes, %d changed"):format(CHANGED), samples_ms.onCloseDocumentMarks, handler)
report(("%d marks, none changed"):format(MARKS), samples_ms.looked, ", budget 1 ms at p99")
report("book closes, snapshot", samples_ms.onCloseWidget, handler)
report("start of the worker", samples_ms.start)
report(("menu opens, %d items"):format(MENU_ITEMS), samples_ms.menu)
