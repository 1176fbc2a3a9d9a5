"""Names of files that samples are written to."""

from pathlib import Path

import pytest
import torch

from coequal.inspection.image_files import refuse_place, write_images


def test_a_name_that_ends_like_a_picture_is_never_a_folder(tmp_path: Path):
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    for name in ("sheet.png", "sheet2.PNG"):
        assert write_images(images, tmp_path / name).is_file()
    for name in ("sheet.gif", "sheet.jpg", "sheet.webp"):
        with pytest.raises(ValueError, match=r"name a \.png"):
            refuse_place(tmp_path / name)
