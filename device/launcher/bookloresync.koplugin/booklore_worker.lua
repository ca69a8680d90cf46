--- The one facade to the worker: starts it detached, waits for its result without blocking, hands the result over.
--
-- Promises: one run at a time, also across a restart of KOReader; what is asked for during a run is done once after it.
-- Standby is prevented exactly while a run is watched. Never waits for a child, never switches Wi-Fi on, never asks.
-- Called by main.lua's event handlers and the menu. It belongs to the process, not to a plugin instance: the book view
-- and the file browser come and go while a run is on. Law: docs/protocol.md, "Command", "Job", "Result".

local Json = require("booklore_json")
local _ = require("gettext")
local T = require("ffi/util").template

local FORMAT_VERSION = 1
local RESULT_LIMIT_BYTES = 256 * 1024 -- a few messages; anything near this is not a result
local DEADLINE_S = 120 -- docs/protocol.md's default; covers a first start after boot, which took over 5 s on old Kobos
local KILL_AFTER_S = DEADLINE_S + 30 -- the worker ends itself 15 s after its deadline; past that it hangs
local POLL_FIRST_S, POLL_LONGEST_S, POLL_GROWTH = 0.25, 1, 1.5
local DEBOUNCE_S = 25 -- waking up and finding the network come in pairs, and some devices repeat them
local CANNOT_EXECUTE = 126 -- the shell's own exit code for that
local EXIT_CODE_UNIT = 256 -- LuaJIT's os.execute answers with the status of wait(2), the code in its second byte

-- Nobody is waiting for these; close and tap are answered at once.
local AUTOMATIC = { wake = true, network = true, start = true }

local Worker = {}
Worker.__index = Worker

--- @param deps table
--   folder     string, the data folder; its jobs/, results/ and log/ exist
--   program    string, absolute path of the executable
--   ui         UIManager
--   device     Device
--   clock      {wall_s = fn, monotonic_ms = fn, utc_offset_s = fn}
--   new_id     fn → string
--   exists     fn(path) → boolean
--   list_folder  fn(folder) → list of names
--   connected  fn → boolean, from memory, never by asking the network
--   job_facts  fn → list of {name, value} that every job carries (device, proxy)
--   show       fn(messages, tapped), messages being a list of {level, text}
--   log_error  fn(text)
function Worker:new(deps)
    local worker = setmetatable({ deps = deps, wishes = {}, told = {} }, self)
    -- KOReader does not catch errors of scheduled actions: one in here would take the reader down.
    worker.poll = function() worker:_guarded(worker._poll) end
    worker.fire = function() worker:_guarded(worker._fire) end
    worker.recover_later = function() worker:_guarded(worker._recover) end
    return worker
end

--- Once per process: shows what earlier runs left, and goes on watching one that outlived a restart.
function Worker:_recover()
    for _, name in ipairs(self.deps.list_folder(self.deps.folder .. "/jobs")) do
        -- Of a run that has begun only the .pid is left, of one that never began only the .json.
        local job = name:match("^([0-9a-z-]+)%.%l+$")
        local alive = job and self:_living_pid(job)
        if alive and not self.run then self:_watch({ job = job }) end
        if job and not alive then self:_forget(job) end
    end
    if not self.run then self:_collect_results() end -- else at its end: a result taken now would then be missed
end

--- @param reason string as in docs/protocol.md
--- @param verb string|nil defaults to sync
function Worker:request(reason, verb)
    local wish = { reason = reason, verb = verb or "sync" }
    if self.leaving then return end
    if self.run then return self:_remember(wish) end
    local wait_s = AUTOMATIC[reason] and self:_debounce_left_s() or 0
    if wait_s == 0 then
        local run = self:_spawn(wish)
        if run then self:_watch(run) end
    elseif self.last_outcome ~= "done" then
        self:request_in(wait_s, reason)
    end
end

--- Some time later, if there is a network then.
function Worker:request_in(delay_s, reason)
    if self.leaving or self.pending then return end
    self.pending = reason
    self.deps.ui:scheduleIn(delay_s, self.fire)
end

--- When the screen shows what comes next, if there is a network: a fork of KOReader would hold that up.
function Worker:request_after_drawing(reason)
    if self.leaving then return end
    self:_cancel_pending()
    self.pending = reason
    self.deps.ui:tickAfterNext(self.fire)
end

--- KOReader exits, and with it every scheduled look at the run; the worker itself goes on.
function Worker:leave()
    self.leaving = true
    self.wishes = {}
    self:_cancel_pending()
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
    for _, name in ipairs(self.deps.list_folder(self.deps.folder .. "/jobs")) do
        local job = name:match("^([0-9a-z-]+)%.pid$")
        local pid = job and self:_living_pid(job)
        if pid then os.execute("kill -TERM " .. pid) end
    end
end

--- What is wished several times during a run is done once.
function Worker:_remember(wish)
    for _, known in ipairs(self.wishes) do
        if known.verb == wish.verb then
            if wish.reason == "tap" then known.reason = "tap" end
            return
        end
    end
    table.insert(self.wishes, wish)
end

--- @return table|nil run {job, verb, tapped}
function Worker:_spawn(wish)
    self:_cancel_pending()
    local run = { job = self.deps.new_id(), verb = wish.verb, tapped = wish.reason == "tap" }
    if not self.deps.exists(self.deps.program) then
        return self:_tell(run.tapped, T(_("BookLore Sync: program missing: %1"), self.deps.program))
    end
    if wish.verb == "sync" then self.last_sync_ms, self.last_outcome = self.deps.clock.monotonic_ms(), nil end
    local status = self:_write_job(run.job, wish) and self:_execute(run.job, wish.verb)
    if status == 0 then return run end
    self:_forget(run.job)
    if status == CANNOT_EXECUTE * EXIT_CODE_UNIT then
        return self:_tell(run.tapped, T(_("BookLore Sync: program cannot be run: %1"), self.deps.program))
    end
    -- No space for the job, or no memory for a shell: nothing is lost, and the next trigger tries again.
    if run.tapped then self:_tell(true, _("BookLore Sync: no space or memory left, please try again later.")) end
end

function Worker:_write_job(job, wish)
    local fields = {
        { "version", FORMAT_VERSION }, { "job", job }, { "verb", wish.verb }, { "reason", wish.reason },
        { "at", self.deps.clock.wall_s() }, { "utc_offset_s", self.deps.clock.utc_offset_s() },
        { "deadline_s", DEADLINE_S },
    }
    for _, fact in ipairs(self.deps.job_facts()) do fields[#fields + 1] = fact end
    local file = io.open(self:_path("jobs", job, "json"), "wb")
    if not file then return false end
    local written = file:write(tostring(Json.object(fields)), "\n")
    return file:close() and written -- a full disk shows at the close
end

local function read_file(path)
    local file = io.open(path, "rb")
    local content = file and file:read("*a")
    if file then file:close() end
    return content or ""
end

local function quote(argument)
    return "'" .. argument:gsub("'", "'\\''") .. "'"
end

--- @return number the shell's status as os.execute gives it, -1 if there was no shell
function Worker:_execute(job, verb)
    local folder, program = quote(self.deps.folder), quote(self.deps.program)
    local prepare = ""
    if not self.made_executable then
        -- Zips made on Windows lose the bit. On FAT there is none to set, and the failure means nothing.
        prepare = ("chmod 755 %s 2>/dev/null; [ -x %s ] || exit %d; "):format(program, program, CANNOT_EXECUTE)
    end
    -- cd, because a working directory on the card keeps it from being unmounted. The output has a file of its own,
    -- begun anew by each run, because KOReader's crash.log is not ours to fill.
    local command = ("( cd /tmp || cd /; %s%s %s --data %s --job %s </dev/null >%s 2>&1 & echo $! >%s )"):format(
        prepare, program, verb, folder, quote(self:_path("jobs", job, "json")),
        quote(self.deps.folder .. "/log/launcher-spawn.log"), quote(self:_path("jobs", job, "pid")))
    local status = os.execute(command)
    self.made_executable = self.made_executable or status == 0
    return status
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
    if self.deps.exists(self:_path("results", run.job, "json")) then return self:_finish() end
    if self.deps.clock.monotonic_ms() - run.started_ms > KILL_AFTER_S * 1000 then
        local pid = self:_living_pid(run.job)
        if pid then os.execute("kill -KILL " .. pid) end
        return self:_finish()
    end
    -- The result may have come between the two looks, so a worker that is gone gets one more.
    if run.gone then return self:_finish() end
    run.gone = not self:_living_pid(run.job)
    run.interval_s = math.min(run.interval_s * POLL_GROWTH, POLL_LONGEST_S)
    self.deps.ui:scheduleIn(run.interval_s, self.poll)
end

function Worker:_finish()
    local run = self:_unwatch()
    self:_forget(run.job)
    if not self.deps.exists(self:_path("results", run.job, "json")) then
        self:_tell(run.tapped, _("BookLore Sync ended without a result, see log/launcher-spawn.log."))
    end
    self:_collect_results(run)
    local wish = table.remove(self.wishes, 1)
    if wish then self:request(wish.reason, wish.verb) end
end

--- @param run table|nil the run that has just ended; none is going on now
function Worker:_collect_results(run)
    for _, name in ipairs(self.deps.list_folder(self.deps.folder .. "/results")) do
        local job, unfinished = name:match("^([0-9a-z-]+)%.json(.*)$")
        if unfinished == "" then
            self:_consume(job, run and run.job == job and run or {})
        elseif unfinished == ".new" then
            os.remove(self.deps.folder .. "/results/" .. name) -- its worker was killed while writing it
        end
    end
end

function Worker:_consume(job, run)
    local path = self:_path("results", job, "json")
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
end

function Worker:_fire()
    local reason = self.pending
    self.pending = nil
    if reason and self.deps.connected() then self:request(reason) end
end

function Worker:_cancel_pending()
    self.pending = nil
    self.deps.ui:unschedule(self.fire)
end

function Worker:_debounce_left_s()
    if not self.last_sync_ms then return 0 end
    return math.max(0, DEBOUNCE_S - (self.deps.clock.monotonic_ms() - self.last_sync_ms) / 1000)
end

--- The number alone proves nothing, it may belong to another program by now; the job in its command line does.
function Worker:_living_pid(job)
    local pid = tonumber(read_file(self:_path("jobs", job, "pid")))
    local command_line = pid and read_file(("/proc/%d/cmdline"):format(pid)) or ""
    return command_line:find(job, 1, true) and pid or nil
end

function Worker:_forget(job)
    os.remove(self:_path("jobs", job, "json"))
    os.remove(self:_path("jobs", job, "pid"))
end

function Worker:_path(room, job, suffix)
    return ("%s/%s/%s.%s"):format(self.deps.folder, room, job, suffix)
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
