"""The whole system of stack dev, as the engine would be told of it."""

import pytest


@pytest.mark.parametrize("preview", [True, False])
def test_the_program_registers_the_whole_system(run_program, preview):
    record = run_program(preview=preview)
    for item in record.resources:
        print(item.type, item.name, item.inputs)
    print(record.outputs)
