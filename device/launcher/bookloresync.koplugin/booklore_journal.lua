--- The journal: what the reader did with one book, one line per event, on disk before the handler returns.
--
-- Promises: a line that was written survives a crash of KOReader; what was written up to an `open`, `suspend`, `close`
-- or `snapshot`, or up to KOReader's own autosave, survives a power cut. A reading is `<id>.open` while it goes on and
-- `<id>.jsonl` when it is over; after a long sleep or very many lines it goes on in another file. Never reads a
-- journal, never waits for anything but the disk, never raises for a full or read-only disk: the reader is told once
-- per process, and the next event tries again in a new file.
-- Called by main.lua's event handlers. Law: docs/protocol.md, "Journal".

local Json = require("booklore_json")

local FORMAT_VERSION = 1
-- A sleep of this length ends a reading: a reader who never closes her book wants her evening sent all the same.
local LONG_SLEEP_MS = 10 * 60 * 1000
local LINES_MOST = 12000 -- of a file; the worker reads 20,000 lines or 4 MiB of it, and 300 bytes are a long line
local BYTES_MOST = 3 * 1024 * 1024 -- of a file with many marks; what ends it takes far less than another MiB

local Journal = {}
Journal.__index = Journal

--- @param deps table
--   folder            string, exists
--   clock             {wall_s = fn, monotonic_ms = fn, boottime_ms = fn → number|nil, utc_offset_s = fn}
--   boot_id           string|nil, says in which run of the kernel boottime_ms counts
--   new_id            fn → string
--   sync_file         fn(file), flushes the file to the medium
--   sync_folder       fn(folder), likewise the names in it: a file that has lost its name is lost with all its lines
--   list_folder       fn(folder) → list of names
--   on_failure        fn(error), told once that nothing can be written
function Journal:new(deps)
    return setmetatable({ deps = deps }, self)
end

--- Readings that a dead KOReader left open are over: they end at their last line.
-- @return boolean whether any reading waits for the worker
function Journal:adopt_orphans()
    local waiting = false
    for _, name in ipairs(self.deps.list_folder(self.deps.folder)) do
        local id, suffix = name:match("^([0-9a-z-]+)%.(%l+)$")
        if suffix == "open" then self:_rename(id) end
        waiting = waiting or suffix ~= nil
    end
    return waiting
end

--- @param describe fn → {book = encoded object, page, pages, place = {name, value} pairs}; asked again if the file has
--   to be begun anew
function Journal:open(describe)
    if self.file then self:_put_away() end
    self.describe = describe
    self.on_screen_ms, self.on_screen_since = 0, self:_now_ms()
    self:_begin()
end

--- @param place fn → {name, value} pairs, asked only if there is something to write
function Journal:turn(page, pages, place)
    -- KOReader announces every turn twice.
    if not self:_ready() or (page == self.page and pages == self.pages) then return end
    self.page, self.pages, self.asleep = page, pages, false
    self.on_screen_ms, self.on_screen_since = 0, self:_now_ms()
    if self.line_number >= LINES_MOST or self.bytes >= BYTES_MOST then return self:_go_on_in_another_file() end
    -- No fsync here: on eMMC behind vfat it costs tens of milliseconds, which the reader would feel at every turn.
    -- write + flush hands the line to the kernel, and that outlives a KOReader that crashes.
    self:_append("page", { { "page", page }, { "pages", pages } }, place())
end

--- What has changed of the book's marks. Whoever tells it keeps what was not taken for the next time.
-- @return boolean whether it was taken
function Journal:marks(fields)
    if not self:_ready() or self.bytes >= BYTES_MOST then return false end
    return self:_append("marks", fields)
end

--- Some devices announce sleep several times for one wake-up; only the first begins the pause.
function Journal:suspend(place)
    if self.asleep or not self:_ready() then return self:flush_to_disk() end
    self.asleep = true
    local now_ms = self:_now_ms()
    self.on_screen_ms = self.on_screen_ms + math.max(0, now_ms - self.on_screen_since)
    self.asleep_since, self.asleep_since_wall_s = now_ms, self.deps.clock.wall_s()
    self:_append("suspend", place)
    self:flush_to_disk()
end

function Journal:resume()
    if not self.asleep or not self:_ready() then return end
    self.asleep = false
    self.on_screen_since = self:_now_ms()
    if self:_slept_ms() > LONG_SLEEP_MS then return self:_go_on_in_another_file() end
    self:_append("resume", {})
end

--- By the clock that runs through sleep; without one the wall clock has to do.
function Journal:_slept_ms()
    local clock = self.deps.clock
    if clock.boottime_ms() then return clock.boottime_ms() - (self.asleep_since or clock.boottime_ms()) end
    return (clock.wall_s() - (self.asleep_since_wall_s or clock.wall_s())) * 1000
end

function Journal:_now_ms()
    return self.deps.clock.boottime_ms() or self.deps.clock.monotonic_ms()
end

--- The worker takes the file that is over, and knows from the next how long its first page has been read already.
function Journal:_go_on_in_another_file()
    self:flush_to_disk()
    if self.file then self:_put_away() end
    self:_begin()
end

function Journal:close(reason, page, pages, place)
    if not self:_ready() then return end
    local fields = { { "reason", reason }, { "page", page or self.page }, { "pages", pages or self.pages } }
    self:_append("close", fields, place)
    self:flush_to_disk()
    self.describe = nil
end

--- The last line, after which the worker may take the file.
-- @param fields table what KOReader saved for the book, as {name, value} pairs
function Journal:finish(fields)
    self.describe = nil
    if not self.file then return end
    self:_append("snapshot", fields)
    self:flush_to_disk()
    self:_put_away()
end

--- The reader does not want this book recorded any longer: what was written stays, and ends at its last line.
function Journal:stop()
    self.describe = nil
    if self.file then self:_put_away() end
end

function Journal:flush_to_disk()
    if not self.file or not self.unsynced then return end
    self.deps.sync_file(self.file)
    self.unsynced = false
end

--- After a failed write the reading goes on in a new file, as soon as the disk takes one again.
function Journal:_ready()
    return self.file ~= nil or (self.describe ~= nil and self:_begin())
end

function Journal:_begin()
    local reading = self.describe()
    self.page, self.pages = reading.page, reading.pages
    self.id, self.line_number, self.bytes = self.deps.new_id(), 0, 0
    self.asleep, self.unsynced = false, false
    -- "e" is close-on-exec: the worker must not hold the reader's files open while a cable wants to unmount them.
    local file, open_error = io.open(self:_path(self.id, "open"), "abe")
    if not file then return self:_fail(open_error) end
    self.file = file
    self:_append("open", {
        { "id", self.id }, { "utc_offset_s", self.deps.clock.utc_offset_s() }, { "boot", self.deps.boot_id },
        { "book", reading.book }, { "page", reading.page }, { "pages", reading.pages },
        { "on_screen_ms", self.on_screen_ms > 0 and self.on_screen_ms or nil },
    }, reading.place)
    self:flush_to_disk()
    self.deps.sync_folder(self.deps.folder)
    return self.file ~= nil
end

function Journal:_append(event, fields, more_fields)
    local clock = self.deps.clock
    local line = {
        { "v", FORMAT_VERSION }, { "n", self.line_number }, { "ev", event },
        { "t", clock.wall_s() }, { "m", clock.monotonic_ms() }, { "b", clock.boottime_ms() },
    }
    for _, field in ipairs(fields) do line[#line + 1] = field end
    for _, field in ipairs(more_fields or {}) do line[#line + 1] = field end
    local text = tostring(Json.object(line))
    local ok, write_error = self.file:write(text, "\n")
    if ok then ok, write_error = self.file:flush() end
    if not ok then return self:_fail(write_error) end
    self.line_number, self.bytes = self.line_number + 1, self.bytes + #text + 1
    self.unsynced = true
    return true
end

--- Gives up this file, not the reading: its whole lines are good, and a torn one must be the last.
function Journal:_fail(reason)
    if self.file then
        if self.line_number > 0 then
            self:_put_away()
        else
            self.file:close()
            self.file = nil
            os.remove(self:_path(self.id, "open"))
        end
    end
    if not self.failure_told then
        self.failure_told = true
        self.deps.on_failure(reason)
    end
    return false
end

function Journal:_put_away()
    self.file:close()
    self.file = nil
    self:_rename(self.id)
end

function Journal:_rename(id)
    -- A rename lost in a power cut costs nothing: the next start finds the .open file.
    os.rename(self:_path(id, "open"), self:_path(id, "jsonl"))
end

function Journal:_path(id, suffix)
    return ("%s/%s.%s"):format(self.deps.folder, id, suffix)
end

return Journal
