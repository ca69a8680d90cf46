--- Runs of the worker as the system sees them: a job file, a detached process, its number, its result file.
--
-- Promises: starting costs one fork and waits for nothing; a process is touched only if its command line proves that it
-- is the run that is meant. Never decides when to start and never reads a result: that is booklore_worker, its only
-- caller. Law: docs/protocol.md, "Command" and "Job".

local Json = require("booklore_json")

local FORMAT_VERSION = 1
local CANNOT_EXECUTE = 126 -- the shell's own exit code for that
local JOB_LIMIT_BYTES = 256 * 1024 -- all arguments at their limits
local VERB_LIMIT_BYTES = 32
local EXIT_CODE_UNIT = 256 -- LuaJIT's os.execute answers with the status of wait(2), the code in its second byte

local Runs = {}
Runs.__index = Runs

--- @param deps table
--   folder     string, the data folder; its jobs/, results/ and log/ exist
--   program    string, absolute path of the executable
--   clock      {wall_s = fn, monotonic_ms = fn, utc_offset_s = fn}
--   exists     fn(path) → boolean
--   list_folder  fn(folder) → list of names
--   job_facts  fn → list of {name, value} that every job carries (device, proxy)
function Runs:new(deps)
    return setmetatable({ deps = deps }, self)
end

--- Verbs become part of a command line, and some come out of a file.
function Runs.is_verb(text)
    return type(text) == "string" and #text <= VERB_LIMIT_BYTES and text:find("^%l[%l-]*$") ~= nil
end

--- @param wish table {verb, reason, arguments|nil, book|nil}, as in docs/protocol.md
-- @return string "started", "missing", "not executable", or "no room" for the job on disk or for a shell in memory
function Runs:start(job, wish, deadline_s)
    if not self.deps.exists(self.deps.program) then return "missing" end
    local status = self:write_job(job, wish, deadline_s) and self:_execute(job, wish.verb)
    if status == 0 then return "started" end
    self:forget(job)
    return status == CANNOT_EXECUTE * EXIT_CODE_UNIT and "not executable" or "no room"
end

--- The jobs of which anything is left. A run that has read its job has only its .pid, one that never began only its
--- .json.
function Runs:jobs()
    local jobs = {}
    for _, name in ipairs(self.deps.list_folder(self.deps.folder .. "/jobs")) do
        local job = name:match("^([0-9a-z-]+)%.%l+$")
        if job and job ~= jobs[#jobs] then jobs[#jobs + 1] = job end
    end
    return jobs
end

local function read_file(path)
    local file = io.open(path, "rb")
    local content = file and file:read("*a")
    if file then file:close() end
    return content or ""
end

--- The number alone proves nothing, it may belong to another program by now; the job in its command line does.
function Runs:living_pid(job)
    local pid = tonumber(read_file(self:_path("jobs", job, "pid")))
    local command_line = pid and read_file(("/proc/%d/cmdline"):format(pid)) or ""
    return command_line:find(job, 1, true) and pid or nil
end

--- @param signal string TERM or KILL
function Runs:signal(job, signal)
    local pid = self:living_pid(job)
    if pid then os.execute(("kill -%s %d"):format(signal, pid)) end
end

function Runs:forget(job)
    os.remove(self:_path("jobs", job, "json"))
    os.remove(self:_path("jobs", job, "pid"))
end

function Runs:result_path(job)
    return self:_path("results", job, "json")
end

--- The jobs that have a result. Only while no worker runs: what killed ones left unfinished is removed.
function Runs:finished_jobs()
    local jobs, results = {}, self.deps.folder .. "/results"
    for _, name in ipairs(self.deps.list_folder(results)) do
        local job, unfinished = name:match("^([0-9a-z-]+)%.json(.*)$")
        if unfinished == "" then jobs[#jobs + 1] = job end
        if unfinished == ".new" then os.remove(results .. "/" .. name) end
    end
    return jobs
end

--- On disk a wish outlives KOReader; `start` begins it.
function Runs:write_job(job, wish, deadline_s)
    local fields = {
        { "version", FORMAT_VERSION }, { "job", job }, { "verb", wish.verb }, { "reason", wish.reason },
        { "arguments", wish.arguments and Json.sorted(wish.arguments) }, { "book", wish.book },
        { "at", self.deps.clock.wall_s() }, { "utc_offset_s", self.deps.clock.utc_offset_s() },
        { "deadline_s", deadline_s },
    }
    for _, fact in ipairs(self.deps.job_facts()) do fields[#fields + 1] = fact end
    local file = io.open(self:_path("jobs", job, "json"), "wb")
    if not file then return false end
    local written = file:write(tostring(Json.object(fields)), "\n")
    return file:close() and written -- a full disk shows at the close
end

--- What a job that no worker has read was for.
-- @return table|nil wish, nil if the job is gone, broken or of another version
function Runs:unread_wish(job)
    local written = Json.read(self:_path("jobs", job, "json"), JOB_LIMIT_BYTES)
    if not written or written.version ~= FORMAT_VERSION or not Runs.is_verb(written.verb) then return nil end
    return {
        verb = written.verb, reason = type(written.reason) == "string" and written.reason or "tap",
        arguments = Json.flat(Json.present(written.arguments)),
        book = type(written.book) == "string" and written.book or nil,
    }
end

local function quote(argument)
    return "'" .. argument:gsub("'", "'\\''") .. "'"
end

--- @return number the shell's status, -1 if there was no shell
function Runs:_execute(job, verb)
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

function Runs:_path(room, job, suffix)
    return ("%s/%s/%s.%s"):format(self.deps.folder, room, job, suffix)
end

return Runs
