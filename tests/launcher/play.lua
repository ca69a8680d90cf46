--- Plays a reading through the real launcher and a real worker: for the demo and the end-to-end tests.
--
--   luajit tests/launcher/play.lua --data FOLDER --bin FOLDER --book book.json --reading reading.json
--   luajit tests/launcher/play.lua --data FOLDER --bin FOLDER [--book books.json] --trace trace.jsonl
--
-- book.json      {file, pages, title, authors: [..], identifiers: [..], series, series_index, language, fingerprint,
--                rating, status}; all but file and pages optional. A list of such objects for a trace of several books.
--                Of text that flows also `places`, an xpointer for each page, and `dom`, the version that spelled them.
-- reading.json   {start_at, events: [..]} or only the list, which then ends now. An event is {at, ev, page, xpointer},
--                `at` in seconds since the start, `ev` one of open, page, mark, suspend, resume, close; `mark` is a
--                highlight with KOReader's own fields, made then. Wi-Fi stays on.
-- trace.jsonl    one event per line, {t, ev, file, page, pages}, as recorded from KOReader. It is read without a
--                network, which comes at the end: one run of the worker for everything.
--
-- Time is virtual while somebody reads and real while a worker runs. Prints the last line that the launcher showed and
-- how many events it journalled. Exit code 1 if no result came within 60 s.

package.path = "tests/launcher/?.lua;" .. package.path

local Fake = require("fake_koreader")
local FrontEnd = require("front_end")
local cjson = require("cjson")

local RUN_LIMIT_S = 60
local REAL_STEP_S = 0.05
local START_S = 10 -- KOReader runs that long before the first event: a first start asks the worker for its menu

local function fail(text)
    io.stderr:write("play.lua: ", text, "\n")
    os.exit(1)
end

local function options()
    local found = {}
    for index = 1, #arg, 2 do
        local name = arg[index]:match("^%-%-(%l+)$")
        if not name or not arg[index + 1] then fail("cannot understand " .. arg[index]) end
        found[name] = arg[index + 1]
    end
    if not (found.data and found.bin and (found.trace or (found.book and found.reading))) then
        fail("needs --data, --bin, and either --book with --reading, or --trace")
    end
    return found
end

local function read(path)
    local file, problem = Fake.real.open(path, "rb")
    if not file then fail(problem) end
    local text = file:read("*a")
    file:close()
    return text
end

-- ------------------------------------------------------------------------------------------------ what is read

local function joined(list)
    return list and list ~= cjson.null and table.concat(list, "\n") or nil
end

--- The book as the front end holds it.
local function front_end_book(described)
    local place = {}
    local places = described.places
    return {
        xpointer = places and function(page) return places[page] end or nil,
        file = described.file, page = 1, pages = described.pages, place = place,
        props = {
            title = described.title, display_title = described.file:match("([^/]*)%.[^.]*$"),
            authors = joined(described.authors), identifiers = joined(described.identifiers),
            series = described.series, series_index = described.series_index, language = described.language,
        },
        sidecar = {
            partial_md5_checksum = described.fingerprint, cre_dom_version = described.dom,
            summary = { rating = described.rating, status = described.status or "reading" },
        },
    }
end

local function read_books(path)
    local books = {}
    local described = path and cjson.decode(read(path)) or {}
    for _, one in ipairs(described.file and { described } or described) do books[one.file] = front_end_book(one) end
    return books, described
end

--- @return table events with `t`, `ev`, `file`, `page`, `pages`, `xpointer`
local function read_reading(path, book)
    local reading = cjson.decode(read(path))
    local events = reading.events or reading
    local start_at = reading.start_at or Fake.real.time() - events[#events].at
    for _, event in ipairs(events) do event.t, event.file = start_at + event.at, book.file end
    return events
end

local function read_trace(path)
    local events = {}
    for line in read(path):gmatch("[^\n]+") do
        local event = cjson.decode(line)
        -- The recording engine gave every book a second suffix of its own.
        event.file = event.file and event.file:gsub("%.fkb$", "")
        events[#events + 1] = event
    end
    return events
end

-- ------------------------------------------------------------------------------------------------ the playing

local Player = {}
Player.__index = Player

function Player:new(found, books, events, connected)
    local world = Fake:new({
        root = found.data, plugin = "device/launcher/bookloresync.koplugin", wall_s = events[1].t - START_S,
        environment = { BOOKLORESYNC_DATA_DIR = found.data, BOOKLORESYNC_BIN_DIR = found.bin },
    })
    world.connected, world.real_processes = connected, true
    world:boot()
    local player = setmetatable({ world = world, front_end = FrontEnd:new(world), books = books }, self)
    player.front_end:file_manager()
    player:wait_for_worker()
    return player
end

--- A worker lives in real time: hours must not pass on the page while it runs.
function Player:wait_for_worker()
    local limit = Fake.real.time() + RUN_LIMIT_S
    while self.world.standby_prevented > 0 do
        if Fake.real.time() > limit then fail("no result came within " .. RUN_LIMIT_S .. " s") end
        Fake.real.execute("sleep " .. REAL_STEP_S)
        self.world:pass(REAL_STEP_S)
    end
end

--- Virtual time, with a stop at everything the launcher has scheduled.
function Player:pass_until(wall_s)
    local world = self.world
    local left_s = wall_s - world.wall_s
    while left_s > 0 do
        local task = world.queue[1]
        local step_s = task and math.max(0, math.min(left_s, (task.due - world.monotonic_us) / 1000000)) or left_s
        world:pass(step_s)
        self:wait_for_worker()
        left_s = wall_s - world.wall_s
        if step_s == left_s then break end
    end
end

function Player:_book(event)
    self.books[event.file] = self.books[event.file] or front_end_book({ file = event.file, pages = event.pages })
    local book = self.books[event.file]
    book.page, book.pages = event.page or book.page, event.pages or book.pages
    self:_place(book, event)
    return book
end

function Player:_place(book, event)
    if event.xpointer then
        book.place.xpointer = event.xpointer
        book.xpointer = function() return book.place.xpointer end
    end
end

local PLAY = {
    open = function(player, event) player.front_end:open(player:_book(event)) end,
    page = function(player, event)
        player:_place(player.front_end.book, event)
        player.front_end:turn(event.page)
    end,
    mark = function(player, event)
        event.mark.datetime = os.date("%Y-%m-%d %H:%M:%S", event.t)
        player.front_end.window.annotation:addItem(event.mark)
    end,
    suspend = function(player) player.front_end:suspend(false) end,
    resume = function(player) player.front_end:resume() end,
    close = function(player) player.front_end:close() end,
}

function Player:play(events)
    for _, event in ipairs(events) do
        if event.ev == "resume" then
            self.world:sleep(math.max(0, event.t - self.world.wall_s))
        else
            self:pass_until(event.t)
        end
        local play = PLAY[event.ev]
        if play then play(self, event) end
    end
    self:wait_for_worker()
end

local function main()
    local found = options()
    local books, described = read_books(found.book)
    local events = found.trace and read_trace(found.trace) or read_reading(found.reading, described)
    local player = Player:new(found, books, events, not found.trace)
    player:play(events)
    if found.trace then
        player.front_end:connect()
        player:pass_until(player.world.wall_s + 30) -- longer than the launcher waits after any trigger
    end

    local world = player.world
    for _, problem in ipairs(world.errors) do io.stderr:write(problem, "\n") end
    local last = world.shown[#world.shown]
    print(last and last.text or "(the launcher had nothing to show)")
    print(("%d events journalled"):format(world.journal_lines))
    local outcome = package.loaded["booklore_process"].current.worker.last_outcome
    os.exit(outcome ~= nil and #world.errors == 0 and 0 or 1)
end

main()
