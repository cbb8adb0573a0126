"""The Block Storage API v3 (Cinder): volumes with their bytes, snapshots, types, limits; on one NFS backend."""
