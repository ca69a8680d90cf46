--- All tests of the launcher: `luajit tests/launcher/run.lua` in the repository's root. Exit code 1 if one fails.

package.path = "tests/launcher/?.lua;" .. package.path

local Check = require("check")

local SPECS = {
    "journal_spec", "marks_spec", "orders_spec", "tracking_spec", "worker_spec", "menu_spec", "questions_spec",
    "changes_spec", "placing_spec", "real_process_spec",
}

for _, spec in ipairs(SPECS) do require(spec) end

print(("%d passed, %d failed"):format(Check.passed, Check.failed))
os.exit(Check.failed == 0 and Check.passed > 0 and 0 or 1)
