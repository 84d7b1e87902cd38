from attractory.cli import main

main()
