package report

import (
	"encoding/xml"
	"strings"
)

// What of JUnit's XML, as Jenkins and GitLab read it, a listing needs.
type (
	junitSuites struct {
		XMLName xml.Name   `xml:"testsuites"`
		Suite   junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitSkipped `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// junit writes a test case for each rule, so that the same cases are there in each run; one fails with all annotations of
// its rule.
func (l Listing) junit(b *strings.Builder) error {
	suite := junitSuite{Name: l.Suite, Tests: len(l.Rules)}
	for _, rule := range l.Rules {
		c := junitCase{Class: "kmodaudit." + l.Suite, Name: rule.ID}
		var found []string
		for _, a := range l.Annotations {
			if a.Title == rule.ID {
				found = append(found, a.line())
			}
		}
		switch {
		case len(found) > 0:
			suite.Failures++
			c.Failure = &junitFailure{rule.What + " " + count(len(found), "finding"), strings.Join(found, "\n")}
		case rule.Skipped != "":
			suite.Skipped++
			c.Skipped = &junitSkipped{rule.Skipped}
		}
		suite.Cases = append(suite.Cases, c)
	}
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(b)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Suite: suite}); err != nil {
		return err
	}
	b.WriteString("\n")
	return nil
}

// line returns an annotation as compilers print theirs.
func (a Annotation) line() string {
	text := printable(a.Message)
	if a.File != "" {
		text = printable(position(a.File, a.Line, a.Column)) + ": " + text
	}
	return text
}
