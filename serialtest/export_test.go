package serialtest

// The leak checks with a grace of the test's choice.
var (
	CheckLeaksWithin = checkLeaks
	ExitCode         = exitCode
)
