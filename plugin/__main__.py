"""The Pulumi plugin by which programs in every language use the component `NodeNlb`."""

from node_nlb_sync.host import main

main()
