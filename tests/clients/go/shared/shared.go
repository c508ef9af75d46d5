// Package shared holds what the Go server and the Go client must agree on.
package shared

import (
	"bytes"
	"fmt"

	"lanekeeper/tests/clients/protos/echo"
	"lanekeeper/tests/clients/protos/routeguide"

	"google.golang.org/grpc/metadata"
)

// FeatureCount is the number of features on the map (see routeguide.proto).
const FeatureCount = 25

// FeatureAt returns feature i of the map.
func FeatureAt(i int) *routeguide.Feature {
	return &routeguide.Feature{
		Name: fmt.Sprintf("Feature %d", i),
		Location: &routeguide.Point{
			Latitude:  400000000 + int32(i)*1000000,
			Longitude: -750000000 + int32(i)*500000,
		},
	}
}

// Distance is the length of one leg of a route.
func Distance(a, b *routeguide.Point) int64 {
	return abs(int64(a.Latitude)-int64(b.Latitude)) + abs(int64(a.Longitude)-int64(b.Longitude))
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// Pattern returns n bytes that are not all alike, the same in every language.
func Pattern(n int) []byte {
	const period = 251
	unit := make([]byte, period)
	for i := range unit {
		unit[i] = byte((i*31 + 7) % period)
	}
	return bytes.Repeat(unit, n/period+1)[:n]
}

// ToMetadata turns a script's entries into metadata.
func ToMetadata(entries []*echo.Entry) metadata.MD {
	md := metadata.MD{}
	for _, e := range entries {
		md.Append(e.Key, string(e.Value))
	}
	return md
}

// ToEntries turns metadata into entries; the order of the values of one key is kept.
func ToEntries(md metadata.MD) []*echo.Entry {
	var entries []*echo.Entry
	for key, values := range md {
		for _, v := range values {
			entries = append(entries, &echo.Entry{Key: key, Value: []byte(v)})
		}
	}
	return entries
}
