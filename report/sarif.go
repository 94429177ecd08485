package report

import (
	"net/url"
	"path/filepath"
	"strings"
)

// What of SARIF 2.1.0 (OASIS Standard, 2020) a listing needs. The objects are declared here and not taken from a library:
// those that there are write every property that an object can have, empty lists and ranks of 0 among them.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		URI   string      `json:"informationUri"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifMessage      `json:"message"`
		Locations           []sarifLocation   `json:"locations,omitempty"`
		PartialFingerprints map[string]string `json:"partialFingerprints,omitempty"`
		CodeFlows           []sarifCodeFlow   `json:"codeFlows,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Message  *sarifMessage  `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI    string `json:"uri"`
		BaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifCodeFlow struct {
		ThreadFlows []sarifThreadFlow `json:"threadFlows"`
	}
	sarifThreadFlow struct {
		Locations []sarifStep `json:"locations"`
	}
	sarifStep struct {
		Location sarifLocation `json:"location"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	project     = "https://github.com/kmodaudit/kmodaudit"
)

// GitHub's code scanning recognises a result by this fingerprint alone (docs.github.com: SARIF support for code scanning).
const sarifFingerprint = "primaryLocationLineHash"

// sarif writes a result for each annotation. Files are relative to the root of the source, which is what %SRCROOT% stands for.
func (l Listing) sarif(b *strings.Builder) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "kmodaudit", URI: project, Rules: []sarifRule{}}
	index := make(map[string]int)
	for i, rule := range l.Rules {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{rule.ID, sarifMessage{rule.What}})
	}
	for _, a := range l.Annotations {
		i, known := index[a.Title]
		if !known {
			i = -1 // what SARIF has for none
		}
		result := sarifResult{RuleID: a.Title, RuleIndex: i, Level: "error", Message: sarifMessage{a.Message}}
		if a.File != "" {
			result.Locations = []sarifLocation{{Physical: a.physical()}}
		}
		if a.Fingerprint != "" {
			result.PartialFingerprints = map[string]string{sarifFingerprint: a.Fingerprint}
		}
		if len(a.Steps) > 0 {
			result.CodeFlows = []sarifCodeFlow{{[]sarifThreadFlow{{flow(a.Steps)}}}}
		}
		run.Results = append(run.Results, result)
	}
	return writeJSON(b, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

func flow(steps []Annotation) []sarifStep {
	var all []sarifStep
	for _, s := range steps {
		all = append(all, sarifStep{sarifLocation{s.physical(), &sarifMessage{s.Message}}})
	}
	return all
}

// physical returns where an annotation is, nil if it is not in a file.
func (a Annotation) physical() *sarifPhysical {
	if a.File == "" {
		return nil
	}
	p := &sarifPhysical{Artifact: sarifArtifact{URI: (&url.URL{Path: a.File}).String(), BaseID: "%SRCROOT%"}}
	if filepath.IsAbs(a.File) {
		p.Artifact = sarifArtifact{URI: (&url.URL{Scheme: "file", Path: a.File}).String()}
	}
	if a.Line > 0 {
		p.Region = &sarifRegion{a.Line, a.Column}
	}
	return p
}
