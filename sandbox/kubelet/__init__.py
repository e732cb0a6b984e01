"""The sandbox's kubelet: runs the syncer's Pods, and no other, as local processes."""
