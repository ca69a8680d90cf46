--- JSON as docs/protocol.md needs it: one deterministic line out, one bounded file in.
--
-- Promises: fields appear in the order given, whole numbers are written without a fraction and others in full, bytes
-- that are not UTF-8 become U+FFFD, absent values leave no trace. Never writes NaN or infinity, never reads more than
-- it was allowed.
-- Called by the journal (lines), the worker facade (jobs, results) and the menu (model, arguments).

local rapidjson = require("rapidjson")
local util = require("util")

-- Arguments of a job: a few names with short values. The paths of books are the longest of them.
local FLAT_ENTRIES, FLAT_TEXT_BYTES = 20, 4000

local Json = {}

-- Encoded text is wrapped so that an object inside an object is not quoted a second time.
local Encoded = {}
Encoded.__tostring = function(encoded) return encoded.text end

local function wrap(text)
    return setmetatable({ text = text }, Encoded)
end

Json.null = wrap("null")

local SHORT_ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

local function escape(char)
    return SHORT_ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

local function quote(text)
    -- KOReader looks at each byte by itself; most texts are plain.
    local valid = text:find("[\128-\255]") and util.fixUtf8(text, "\239\191\189") or text
    return '"' .. valid:gsub('[%c"\\]', escape) .. '"'
end

local function encode(value)
    if getmetatable(value) == Encoded then return value.text end
    if type(value) == "string" then return quote(value) end
    if type(value) == "boolean" then return tostring(value) end
    if type(value) ~= "number" or value ~= value or math.abs(value) == math.huge then return nil end
    if value == math.floor(value) and math.abs(value) < 2 ^ 53 then return ("%d"):format(value) end
    local short = ("%.15g"):format(value) -- 0.1 stays 0.1
    return tonumber(short) == value and short or ("%.17g"):format(value)
end

--- @param fields table list of {name, value}; a field whose value is nil is left out
function Json.object(fields)
    local parts = {}
    for _, field in ipairs(fields) do
        local text = encode(field[2])
        if text then parts[#parts + 1] = quote(field[1]) .. ":" .. text end
    end
    return wrap("{" .. table.concat(parts, ",") .. "}")
end

--- @param values table list of strings or numbers
function Json.list(values)
    local parts = {}
    for _, value in ipairs(values) do parts[#parts + 1] = encode(value) end
    return wrap("[" .. table.concat(parts, ",") .. "]")
end

--- @param map table of names and values
function Json.sorted(map)
    local names, fields = {}, {}
    for name in pairs(map) do names[#names + 1] = name end
    table.sort(names)
    for index, name in ipairs(names) do fields[index] = { name, map[name] } end
    return Json.object(fields)
end

--- @return the value that was read, nil for JSON's null
function Json.present(value)
    if value == rapidjson.null then return nil end
    return value
end

--- @return table|nil a copy of an object whose values are texts, numbers and booleans; nil for anything else
function Json.flat(object)
    if type(object) ~= "table" then return nil end
    local copy, entries = {}, 0
    for name, value in pairs(object) do
        local kind, bytes = type(value), type(value) == "string" and #value or 0
        if type(name) ~= "string" or #name + bytes > FLAT_TEXT_BYTES then return nil end
        if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then return nil end
        entries = entries + 1
        copy[name] = value
    end
    return entries <= FLAT_ENTRIES and copy or nil
end

--- @return table|nil value, string|nil error
function Json.read(path, limit_bytes)
    local file, open_error = io.open(path, "rb")
    if not file then return nil, open_error end
    local text = file:read(limit_bytes + 1) or ""
    file:close()
    if #text > limit_bytes then return nil, "too long" end
    local ok, value = pcall(rapidjson.decode, text)
    if not ok or type(value) ~= "table" then return nil, "not JSON" end
    return value
end

return Json
