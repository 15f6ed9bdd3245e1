package block

// AppendBloom is appendBloom.
var AppendBloom = appendBloom
