// A kernel is the function that a benchmark times. It stays a function of its own under its own
// name, so that tests/bench/instructions finds it in what callgrind recorded, with all that it
// calls.
#pragma once

#define LANEKEEPER_KERNEL [[gnu::noipa]]
