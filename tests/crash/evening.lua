--- An evening with the real launcher in the fake KOReader, for the tracer: every way of writing into a journal.
--
--   luajit tests/crash/evening.lua FOLDER
--
-- FOLDER/bookloresync and FOLDER/bin exist, with what another evening has left. No process is started.

package.path = "tests/launcher/?.lua;" .. package.path

local Fake = require("fake_koreader")
Fake.real.execute = function() return 0 end

local Check = require("check")

local folder = arg[1]
local world, front_end = Check.koreader(folder, nil, true)

local function read(first, last)
    for page = first, last do
        world:pass(40)
        front_end:turn(page)
    end
end

front_end:open(Check.book(folder))
read(13, 20)
front_end:suspend(false)
world:sleep(600)
front_end:resume()
read(21, 23)
front_end:send("FlushSettings")
read(24, 26)
front_end:close()
world:pass(60)

-- A second book, longer than some sectors, in which KOReader dies.
local book = Check.book(folder)
book.file = folder .. "/Emma.epub"
book.props.title = "Emma"
front_end:open(book)
read(13, 40)
