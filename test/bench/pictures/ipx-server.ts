// As low as that of the service's renderer: what else the machine does then takes as much from each.
import '../../../src/imaging/low-priority.ts';
import { serveToParent } from '../serve-to-parent.ts';

const [dir = '', setUp] = process.argv.slice(2);

// As its documentation has it, with the sharp that it comes with; else with the service's version of sharp, and without
// progressive JPEGs, which the others do not make, and which take longer.
const { createIPX, createIPXNodeServer, ipxFSStorage } = await (setUp === 'as documented'
  ? import('ipx-as-documented')
  : import('ipx'));
const sharpOptions = setUp === 'as documented' ? {} : { sharpOptions: { jpegProgressive: false } };
serveToParent(createIPXNodeServer(createIPX({ storage: ipxFSStorage({ dir }), ...sharpOptions })));
