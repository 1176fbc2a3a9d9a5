"""One file per dataset or family: images as one uint8 tensor, labels, three splits."""
