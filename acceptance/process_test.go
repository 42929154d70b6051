package acceptance

const processVariable = "COREROLLER_ACCEPTANCE_PROCESS"

func serveProcess(string) int { return 1 }
