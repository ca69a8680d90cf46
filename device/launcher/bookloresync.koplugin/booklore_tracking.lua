--- Which books the reader does not want to be recorded: the worker's list, one absolute path a line.
--
-- Promises: a book is recorded unless a whole line of the list names it. Never writes the list, never raises for one
-- that is missing or broken. Called by main.lua when a book opens and when a run of the worker may have changed the
-- list. Law: docs/protocol.md, "Journal".

local LIST_LIMIT_BYTES = 64 * 1024 -- some thousand switched off by hand; what is longer is not read on

local Tracking = {}
Tracking.__index = Tracking

--- @param path string, where the list is if any book is on it
function Tracking:new(path)
    return setmetatable({ path = path }, self)
end

--- @param book string, absolute path
-- @return boolean
function Tracking:records(book)
    local file = io.open(self.path, "rb")
    if not file then return true end
    local list = file:read(LIST_LIMIT_BYTES + 1) or ""
    file:close()
    -- Half a line could be the whole name of another book.
    if #list > LIST_LIMIT_BYTES then list = list:match("^(.*)\n") or "" end
    return ("\n" .. list .. "\n"):find("\n" .. book .. "\n", 1, true) == nil
end

return Tracking
