"""Files that other programs read: HDF5, VTU and labelled arrays."""
