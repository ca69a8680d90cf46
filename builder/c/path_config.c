/* In place of CPython's Modules/getpath.c, which at every start runs a Python program to find out where the standard
 * library lies. This executable has none beside it: every path is empty, and nothing is looked for. */
#include "Python.h"
#include "pycore_initconfig.h"

PyStatus _PyConfig_InitPathConfig(PyConfig *config, int compute_path_config)
{
    wchar_t **unused[] = {
        &config->executable,  &config->base_executable,  &config->prefix,     &config->base_prefix,
        &config->exec_prefix, &config->base_exec_prefix, &config->platlibdir,
    };
    (void)compute_path_config;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(unused); i++) {
        PyStatus status = PyConfig_SetString(config, unused[i], L"");
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    config->module_search_paths_set = 1;
    return PyStatus_Ok();
}
