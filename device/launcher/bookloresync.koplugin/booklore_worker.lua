--- The one facade to the worker: starts it detached, waits for its result without blocking, hands the result over.
--
-- Promises: one run at a time, also across a restart of KOReader; what is asked for during a run is done once after it,
-- and what the reader tapped for with arguments, which is a change of something, also if KOReader ends before that.
-- Standby is prevented exactly while a run is watched. Never waits for a child, never switches Wi-Fi on, never asks.
-- Called by main.lua's event handlers and the menu. It belongs to the process, not to a plugin instance: the book view
-- and the file browser come and go while a run is on. Law: docs/protocol.md, "Result".

local Json = require("booklore_json")
local _ = require("gettext")
local T = require("ffi/util").template

local FORMAT_VERSION = 1
local RESULT_LIMIT_BYTES = 256 * 1024 -- a few messages; anything near this is not a result
local DEADLINE_S = 120 -- docs/protocol.md's default; covers a first start after boot, which took over 5 s on old Kobos
local KILL_AFTER_S = DEADLINE_S + 30 -- the worker ends itself 15 s after its deadline; past that it hangs
local POLL_FIRST_S, POLL_LONGEST_S, POLL_GROWTH = 0.25, 1, 1.5
local DEBOUNCE_S = 25 -- waking up and finding the network come in pairs, and some devices repeat them

local OPEN_SETTLES_S = 3 -- the page should be drawn first, and the reader see where she is

-- Nobody is waiting for these; close and tap are answered at once.
local AUTOMATIC = { wake = true, network = true, start = true, open = true }

local Worker = {}
Worker.__index = Worker

--- @param deps table
--   runs       booklore_runs
--   program    string, how messages name the executable
--   ui         UIManager
--   device     Device
--   clock      {monotonic_ms = fn, boottime_ms = fn → number|nil}
--   new_id     fn → string
--   exists     fn(path) → boolean
--   open_book  fn → string|nil, absolute path of the book that is open
--   connected  fn → boolean, from memory, never by asking the network
--   show       fn(messages, tapped), messages being a list of {level, text}
--   received   fn(result, origin), told of each result when its messages are shown. The origin is {reason, verb,
--              tapped, question} of its run: `tapped` if the reader herself asked for the run, `question` the id of the
--              question that it answered
--   ended      fn, told after each run, when its result is told
--   log_error  fn(text)
function Worker:new(deps)
    local worker = setmetatable({ deps = deps, wishes = {}, told = {} }, self)
    -- KOReader does not catch errors of scheduled actions: one in here would take the reader down.
    worker.poll = function() worker:_guarded(worker._poll) end
    worker.fire = function() worker:_guarded(worker._fire) end
    worker.fire_open = function() worker:_guarded(worker._fire_open) end
    worker.recover_later = function() worker:_guarded(worker._recover) end
    return worker
end

--- Once per process: shows what earlier runs left, and goes on watching one that outlived a restart.
function Worker:_recover()
    local undone = {}
    for _, job in ipairs(self.deps.runs:jobs()) do
        local alive = self.deps.runs:living_pid(job)
        local wish = not alive and self.deps.runs:unread_wish(job)
        if alive and not self.run then self:_watch({ job = job }) end
        if wish and wish.arguments then
            wish.job = job
            undone[#undone + 1] = wish
        elseif not alive then
            self.deps.runs:forget(job)
        end
    end
    if not self.run then self:_collect_results() end -- else at its end: a result taken now would then be missed
    for _, wish in ipairs(undone) do self:_fulfil(wish) end
end

--- @param reason string as in docs/protocol.md
--- @param verb string|nil defaults to sync
--- @param arguments table|nil of the verb
-- @param question string|nil the id of the question that this answers
function Worker:request(reason, verb, arguments, question)
    if self.leaving then return end
    self:_fulfil({
        reason = reason, verb = verb or "sync", arguments = arguments, question = question,
        book = self.deps.open_book(),
    })
end

function Worker:_fulfil(wish)
    if self.run then return self:_remember(wish) end
    local wait_s = wish.verb == "sync" and AUTOMATIC[wish.reason] and self:_debounce_left_s() or 0
    if wish.verb == "sync" and wish.reason == "open" then
        if not wish.book or wish.book ~= self.deps.open_book() then return end -- closed again while it waited
        -- What the last run found says nothing about another book; a server that is not there is not there for any.
        if self.last_outcome == "done" and wish.book ~= self.last_opened then wait_s = 0 end
    end
    if wait_s == 0 then
        local run = self:_spawn(wish)
        if run then self:_watch(run) end
    elseif self.last_outcome ~= "done" then
        self:request_in(wait_s, wish.reason)
    end
end

--- Whether something that was asked for may not be done yet.
function Worker:busy()
    return self.run ~= nil or #self.wishes > 0
end

--- Some time later, if there is a network then.
function Worker:request_in(delay_s, reason)
    if self.leaving or self.pending then return end
    self.pending = reason
    self.deps.ui:scheduleIn(delay_s, self.fire)
end

--- A book was opened: the server may know of a newer position. Beside what else is asked for at the same time, which
--- may be about the book before it.
function Worker:book_opened()
    if self.leaving then return end
    self.unasked = true
    self.deps.ui:unschedule(self.fire_open)
    self.deps.ui:scheduleIn(OPEN_SETTLES_S, self.fire_open)
end

--- The device falls asleep over it; the run when it has woken up, or has a network again, will be for the book.
function Worker:put_off_opening()
    self.deps.ui:unschedule(self.fire_open)
end

function Worker:_forget_opening()
    self.unasked = false
    self.deps.ui:unschedule(self.fire_open)
end

--- The reader has not asked yet, but without this there is no menu to ask with.
function Worker:introduce()
    self:_guarded(function() self:request("start", "status") end)
end

--- When the screen shows what comes next, if there is a network: a fork of KOReader would hold that up.
function Worker:request_after_drawing(reason)
    if self.leaving then return end
    self:_cancel_pending()
    self:_forget_opening()
    self.pending = reason
    self.deps.ui:tickAfterNext(self.fire)
end

--- KOReader exits, and with it every scheduled look at the run; the worker itself goes on.
function Worker:leave()
    self.leaving = true
    self.wishes = {}
    self:_cancel_pending()
    self:_forget_opening()
    self:_unwatch()
end

--- A new instance of the plugin proves that KOReader did not exit after all.
function Worker:stay()
    self.leaving = self.switched_off
end

--- The reader disabled or deleted the plugin; its instances live on until KOReader starts again.
function Worker:switch_off()
    self.switched_off = true
    self:stop()
end

--- Nothing of ours may run any more: a cable wants the storage, or the power goes.
function Worker:stop()
    self:leave()
    for _, job in ipairs(self.deps.runs:jobs()) do self.deps.runs:signal(job, "TERM") end
end

--- What two wishes have in common that are one. A sync is the same wherever it is asked for, but for a book that has
--- been opened: its run may be left out, and must not take along a sync that may not.
local function identity(wish)
    local book = wish.verb ~= "sync" and wish.book or wish.reason == "open" and "open" or ""
    return table.concat({ wish.verb, tostring(Json.sorted(wish.arguments or {})), book }, "\n")
end

--- What is wished several times during a run is done once.
function Worker:_remember(wish)
    for index, known in ipairs(self.wishes) do
        if identity(known) == identity(wish) then
            if not wish.arguments then
                if wish.reason == "tap" then known.reason = "tap" end
                known.book = wish.book -- what is open now
                return
            end
            -- Of a change it is the last time that counts: on, off, on does not end with off.
            self.deps.runs:forget(known.job)
            table.remove(self.wishes, index)
            break
        end
    end
    if wish.arguments and not wish.job then
        wish.job = self.deps.new_id()
        self.deps.runs:write_job(wish.job, wish, DEADLINE_S)
    end
    table.insert(self.wishes, wish)
end

--- @return table|nil run {job, verb, reason, tapped, question}
function Worker:_spawn(wish)
    if wish.verb == "sync" then self:_cancel_pending() end
    local run = {
        job = wish.job or self.deps.new_id(), verb = wish.verb, reason = wish.reason, tapped = wish.reason == "tap",
        question = wish.question,
    }
    local outcome = self.deps.runs:start(run.job, wish, DEADLINE_S)
    if outcome == "started" then
        if run.verb == "sync" then self.last_sync_ms, self.last_outcome = self:_now_ms(), nil end
        if run.verb == "sync" and run.reason == "open" then self.last_opened, self.unasked = wish.book, false end
        return run
    elseif outcome == "missing" then
        self:_tell(run.tapped, T(_("BookLore Sync: program missing: %1"), self.deps.program))
    elseif outcome == "not executable" then
        self:_tell(run.tapped, T(_("BookLore Sync: program cannot be run: %1"), self.deps.program))
    elseif run.tapped then
        -- In the background that is no news: nothing is lost, and the next trigger tries again.
        self:_tell(true, _("BookLore Sync: no space or memory left, please try again later."))
    end
end

function Worker:_watch(run)
    self.run = run
    run.started_ms = self.deps.clock.monotonic_ms()
    run.interval_s = POLL_FIRST_S
    self.deps.ui:preventStandby()
    self.deps.device:enableCPUCores(2) -- Kobos idle on one core, and the reader wants the other
    self.deps.ui:scheduleIn(run.interval_s, self.poll)
end

function Worker:_unwatch()
    local run = self.run
    if not run then return end
    self.run = nil
    self.deps.ui:unschedule(self.poll)
    self.deps.device:enableCPUCores(1)
    self.deps.ui:allowStandby()
    return run
end

function Worker:_poll()
    local run = self.run
    if not run then return end
    if self.deps.exists(self.deps.runs:result_path(run.job)) then return self:_finish() end
    if self.deps.clock.monotonic_ms() - run.started_ms > KILL_AFTER_S * 1000 then
        self.deps.runs:signal(run.job, "KILL")
        return self:_finish()
    end
    -- The result may have come between the two looks, so a worker that is gone gets one more.
    if run.gone then return self:_finish() end
    run.gone = not self.deps.runs:living_pid(run.job)
    run.interval_s = math.min(run.interval_s * POLL_GROWTH, POLL_LONGEST_S)
    self.deps.ui:scheduleIn(run.interval_s, self.poll)
end

function Worker:_finish()
    local run = self:_unwatch()
    self.deps.runs:forget(run.job)
    if not self.deps.exists(self.deps.runs:result_path(run.job)) then
        self:_tell(run.tapped, _("BookLore Sync ended without a result, see log/launcher-spawn.log."))
    end
    self:_collect_results(run)
    self.deps.ended()
    while not self.run and #self.wishes > 0 do self:_fulfil(table.remove(self.wishes, 1)) end
end

--- @param run table|nil the run that has just ended; none is going on now
function Worker:_collect_results(run)
    for _, job in ipairs(self.deps.runs:finished_jobs()) do
        self:_consume(job, run and run.job == job and run or {})
    end
end

function Worker:_consume(job, run)
    local path = self.deps.runs:result_path(job)
    local result = Json.read(path, RESULT_LIMIT_BYTES)
    if result and result.version ~= FORMAT_VERSION then
        return self:_tell(false, T(_("BookLore Sync: %1.json has version %2, please update the plugin."),
            job, tostring(result.version)))
    end
    os.remove(path)
    if not result then return end
    if run.verb == "sync" then self.last_outcome = result.outcome end
    local messages = {}
    for _, message in ipairs(type(result.messages) == "table" and result.messages or {}) do
        if type(message) == "table" and type(message.text) == "string" then messages[#messages + 1] = message end
    end
    if #messages > 0 then self.deps.show(messages, run.tapped) end
    self.deps.received(result, {
        reason = run.reason or "start", verb = run.verb, question = run.question,
        tapped = run.tapped and not run.question,
    })
end

function Worker:_fire()
    local reason = self.pending
    self.pending = nil
    if not reason or not self.deps.connected() then return end
    self:request(AUTOMATIC[reason] and self.unasked and self.deps.open_book() and "open" or reason)
end

function Worker:_fire_open()
    if self.deps.open_book() and self.deps.connected() then self:request("open") end
end

function Worker:_cancel_pending()
    self.pending = nil
    self.deps.ui:unschedule(self.fire)
end

function Worker:_debounce_left_s()
    if not self.last_sync_ms then return 0 end
    return math.max(0, DEBOUNCE_S - (self:_now_ms() - self.last_sync_ms) / 1000)
end

--- A night is longer than 25 seconds. (A run that is watched sleeps with the device, so it has the other clock.)
function Worker:_now_ms()
    return self.deps.clock.boottime_ms() or self.deps.clock.monotonic_ms()
end

--- What stays wrong is said once per process, or whenever the reader taps.
function Worker:_tell(tapped, text)
    if tapped or not self.told[text] then self.deps.show({ { level = "error", text = text } }, tapped) end
    self.told[text] = true
end

function Worker:_guarded(action)
    local ok, problem = pcall(action, self)
    if ok then return end
    self.deps.log_error(problem)
    self:_unwatch()
end

return Worker
