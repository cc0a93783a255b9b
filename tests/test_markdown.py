from kdgat.markdown import table


def test_a_cell_keeps_to_its_column():
    assert table(["a", "b"], [["x | y\nz", 1]]) == "| a | b |\n|---|---|\n| x \\| y z | 1 |"


def test_a_table_without_rows_has_a_head():
    assert table(["a"], []) == "| a |\n|---|"
