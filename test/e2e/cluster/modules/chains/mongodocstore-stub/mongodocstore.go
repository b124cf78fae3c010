// Package mongodocstore stands in for the MongoDB driver of Chains, whose dependencies cannot all be had from the module proxy.
// No test stores provenance in MongoDB; Chains needs only this name to compile.
package mongodocstore

const Scheme = "mongo"
